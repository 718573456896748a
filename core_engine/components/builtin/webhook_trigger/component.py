"""Starts a workflow by an HTTP call."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core_engine.components.fields import Words
from core_engine.components.triggers import TriggerComponent
from core_engine.kernel.component import Config


class WebhookConfig(Config):
    """Who may call, and what is taken over."""

    auth: Literal["secret", "hmac", "none"] = Field(
        "secret", description="secret: the caller sends it as X-Webhook-Secret. hmac: the caller signs the body "
        "with it (HMAC-SHA256). none: everybody may call."
    )  # fmt: skip
    secret: str = Field(
        "", max_length=1000, description="The secret, best as {{vars.NAME}} of a secret variable: what stands "
        "here itself can be read by everybody who may read the workflow."
    )  # fmt: skip
    tolerance_seconds: float = Field(
        300.0, ge=1, le=86_400, description="How old a signed time may be, in seconds."
    )
    require_timestamp: bool = Field(False, description="Whether a signature must cover the time of the call.")
    allow_get: bool = Field(False, description="Whether GET is taken as well as POST.")
    headers: Words = Field(
        default_factory=list, max_length=50, description="Names of the headers that go into the event."
    )
    delivery_header: str = Field(
        "", max_length=100, description="Header with the id of a delivery; empty: X-Delivery-Id, "
        "X-GitHub-Delivery or Idempotency-Key. The same id starts nothing twice."
    )  # fmt: skip
    wait_seconds: float = Field(
        0.0, ge=0, le=60, description="How long the call waits for the end of the run; 0 answers at once."
    )
    rate_per_second: float = Field(10.0, gt=0, le=10_000, description="Calls taken in a second.")
    max_body_kb: int = Field(1024, ge=1, le=16_384, description="Largest body, in KiB.")


class WebhookTrigger(TriggerComponent[WebhookConfig]):
    """Fires when its address is called."""

    id = "webhook_trigger"
    name = "Webhook Trigger"
    description = (
        "Starts the workflow when POST /webhook/<preset> is called; gives body, headers, query and method."
    )
    config_model = WebhookConfig
    raw_fields = frozenset({"secret"})
