import { ReactFlowProvider } from "@xyflow/react";
import { type FormEvent, useEffect, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { Canvas } from "@/features/designer/canvas/canvas";
import { useDocument, useWorkflow } from "@/features/designer/document/store";
import { readWorkflow, type WorkflowNode } from "@/features/designer/document/workflow";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { SharedEditor } from "./shared-editor";
import { TextArea } from "@/ui/field";

/** The workflow as a drawing, and as a list of its steps with what they are set to. */
export function SharedWorkflow({ edits }: { edits: boolean }) {
  const t = useT();
  const workflow = useWorkflow();
  return (
    <>
      {edits ? (
        <SharedEditor />
      ) : (
        // the menu of the canvas belongs to the designer
        <div className="card shared-canvas" onContextMenuCapture={(event) => event.stopPropagation()}>
          <ReactFlowProvider>
            <Canvas readOnly />
          </ReactFlowProvider>
        </div>
      )}
      <section className="card card-pad stack">
        <h2>{t("shared.steps", { count: workflow.nodes.length })}</h2>
        <ul className="plain-list shared-steps">
          {workflow.nodes.map((node) => (
            <Step key={node.id} node={node} />
          ))}
        </ul>
      </section>
      {edits && <WorkflowText />}
    </>
  );
}

function Step({ node }: { node: WorkflowNode }) {
  const chosen = useDocument((state) => state.chosen.has(node.id));
  return (
    <li>
      <details open={chosen}>
        <summary>
          <strong>{node.name}</strong> <span className="muted">{node.module_id}</span>
        </summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled by keyboard */}
        <pre tabIndex={0}>{JSON.stringify(node.config_values, null, 2)}</pre>
      </details>
    </li>
  );
}

/** The whole workflow as text: everything in it can be changed here. */
function WorkflowText() {
  const t = useT();
  const workflow = useWorkflow();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  useEffect(() => setText(JSON.stringify(workflow, null, 2)), [workflow]);

  function apply(event: FormEvent) {
    event.preventDefault();
    try {
      const changed = readWorkflow(JSON.parse(text));
      useDocument.getState().edit(() => changed);
      setProblem("");
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  }

  return (
    <form className="card card-pad stack" onSubmit={apply}>
      <TextArea
        label={t("shared.text")}
        hint={t("shared.textHint")}
        problem={problem}
        className="input shared-text"
        spellCheck={false}
        rows={14}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="row">
        <Button type="submit">{t("shared.apply")}</Button>
      </div>
    </form>
  );
}
