"""The engine: takes signed commands, runs workflows, streams what happens. asyncio only."""
