"""Workflows: reading and checking them, and running them so that a crash loses and repeats nothing."""

from core_engine.workflow.expressions import NoVariables, Variable, Variables
from core_engine.workflow.parse import check_workflow, parse_workflow
from core_engine.workflow.service import RunService

__all__ = ["NoVariables", "RunService", "Variable", "Variables", "check_workflow", "parse_workflow"]
