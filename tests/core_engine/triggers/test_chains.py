"""A trigger starts a run with a final part and children, whose end starts another: each link once."""

from __future__ import annotations

from pathlib import Path

from tests.core_engine.triggers.desk import ended, engine, flow, given, node, quick, rule, runs, save, until


async def test_an_event_starts_a_run_whose_end_after_its_final_part_starts_the_next(tmp_path: Path) -> None:
    body = {**node("item", "static_data_provider_module"), "parent_id": "each"}
    work = flow(
        node("each", "for_each", items=[1, 2]),
        body,
        {**node("tidy", "wait_until", seconds=0.05), "finally": True},
    )
    async with engine(tmp_path) as of:
        await save(of, "work", work)
        await save(of, "after", quick())
        await save(of, "tell", flow(node("tell", "publish_event", event_name="go", data={"n": 1})))
        await rule(of, "event_bus", "work", config={"event_name": "go"})
        await rule(of, "run_finished", "after", config={"preset_filter": "work"})
        await of.triggers.fire(await rule(of, "manual", "tell"), {}, run_id="told", depth=1)
        after = (await until(lambda: runs(of, "after")))[0]
        told = await given(of, after.job_id)
        await ended(of, after.job_id)
        (first,) = await runs(of, "work")
        assert told["run"]["job_id"] == first.job_id
        assert told["run"]["status"] == "SUCCEEDED"
        details = await of.runs.details(first.job_id)
        tidy = next(state for state in details.nodes if state.node_id == "tidy")
        assert tidy.status.value == "SUCCESS"
        assert after.started_at >= (tidy.finished_at or 0)
        assert len(await runs(of, "after")) == len(await runs(of, "work")) == 1
