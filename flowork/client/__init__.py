"""The Python client: REST of the gateway and the signed socket of an engine, typed by the contract."""

from flowork.client.claim_link import ClaimLink
from flowork.client.gateway import Client
from flowork.client.run import Run
from flowork.client.session import EngineSession

__all__ = ["ClaimLink", "Client", "EngineSession", "Run"]
