"""The settings of an HTTP request."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from core_engine.components.dialling import CaCertificates
from core_engine.components.fields import JsonList, NamedValue, Part, form
from core_engine.kernel.component import Config


class FilePart(Part):
    """A file of a multipart body, one item of a list."""

    name: str = Field(min_length=1, max_length=200)
    path: str = Field(min_length=1, max_length=4096)
    filename: str = Field("", max_length=255)
    content_type: str = Field("application/octet-stream", max_length=200, pattern=r"^[\w.+-]+/[\w.+;= -]+$")


class SignIn(Config):
    """How the request proves who it is."""

    auth: Literal["none", "basic", "bearer", "api_key", "oauth2"] = Field(
        "none", title="Sign in",
        description="How the request proves who it is. oauth2: with client credentials, for which a token is fetched.",
    )  # fmt: skip
    username: str = Field("", max_length=1000, description="User name, for basic.")
    password: str = Field(
        "", max_length=4000, description="Password, for basic; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.API_PASSWORD }}", secret=True),
    )  # fmt: skip
    token: str = Field(
        "", max_length=16_000, description="Token, for bearer; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.API_TOKEN }}", secret=True),
    )  # fmt: skip
    api_key: str = Field(
        "", max_length=16_000, title="API key",
        description="Key, for api_key; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.API_KEY }}", secret=True),
    )  # fmt: skip
    api_key_name: str = Field(
        "X-API-Key", min_length=1, max_length=200, title="API key name",
        description="Name of the header or of the query parameter that carries the key, for api_key.",
    )  # fmt: skip
    api_key_in: Literal["header", "query"] = Field(
        "header", title="API key in", description="Where the key is sent, for api_key."
    )
    token_url: str = Field(
        "", max_length=8000, title="Token address",
        description="Where a token is fetched, for oauth2; it is kept until shortly before it ends.",
        json_schema_extra=form(placeholder="https://login.example.com/oauth2/token"),
    )  # fmt: skip
    client_id: str = Field("", max_length=1000, title="Client id", description="Client id, for oauth2.")
    client_secret: str = Field(
        "", max_length=4000, description="Client secret, for oauth2; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.CLIENT_SECRET }}", secret=True),
    )  # fmt: skip
    scope: str = Field(
        "", max_length=2000, description="What the token shall allow, for oauth2; may be empty."
    )
    client_in: Literal["header", "body"] = Field(
        "header", title="Client in", description="How the client id and secret are sent to the token address."
    )


class Content(SignIn):
    """What is sent along."""

    body_kind: Literal["none", "json", "form", "multipart", "text", "raw"] = Field(
        "none", description="What is sent along. raw: the bytes of a file, or of a base64 text."
    )
    body: Any = Field(
        None, description="The body: any value or JSON as text (json), a text (text), a base64 text (raw).",
        json_schema_extra=form(widget="textarea", rows=6, placeholder="{{ data }}"),
    )  # fmt: skip
    body_file: str = Field(
        "", max_length=4096, description="The file that is sent, inside the folders of workflows, for raw."
    )
    form_fields: JsonList[NamedValue] = Field(
        default_factory=list, max_length=500, description="Names and values, for form and multipart."
    )
    form_files: JsonList[FilePart] = Field(
        default_factory=list, max_length=50,
        description="Files, for multipart: a JSON list of objects with name, path and maybe filename, content_type.",
    )  # fmt: skip


class Paging(Content):
    """How further pages are asked for."""

    paging: Literal["none", "link_header", "next_url", "page_number", "cursor"] = Field(
        "none",
        description=(
            "How further pages are found. link_header: the header Link names the next one. next_url: a member of the"
            " answer names it. page_number: a parameter counts until a page is empty. cursor: a member of the answer"
            " is sent back as a parameter."
        ),
    )
    items_path: str = Field(
        "", max_length=500,
        description="Member of each page that holds its list, such as result.items; empty takes the page itself.",
    )  # fmt: skip
    next_path: str = Field(
        "next",
        max_length=500,
        description="Member of a page with the next address or cursor, such as paging.next.",
    )
    page_parameter: str = Field(
        "page", min_length=1, max_length=200, description="Query parameter of the page number or cursor."
    )
    first_page: int = Field(1, ge=0, description="Number of the first page, for page_number.")
    max_pages: int = Field(
        10, ge=1, le=1000, description="Most pages that are asked for; the answer says when there were more."
    )


class HttpConfig(Paging):
    """The request."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = Field(
        "GET", description="What to ask the server to do."
    )
    url: str = Field(
        min_length=1, max_length=8000, description="Address, starting with https:// or http://.",
        json_schema_extra=form(placeholder="https://example.com/orders/{{ data.id }}"),
    )  # fmt: skip
    query: JsonList[NamedValue] = Field(
        default_factory=list, title="Query", max_length=200,
        description="Names and values added to the address after ?.",
    )  # fmt: skip
    headers: JsonList[NamedValue] = Field(
        default_factory=list, max_length=100, description="Names and values sent as headers."
    )
    timeout_seconds: float = Field(
        30.0, gt=0, le=3600,
        description="Longest time a request may take, in seconds; each page and each repetition has it anew.",
    )  # fmt: skip
    retries: int = Field(
        0, ge=0, le=10,
        description="How often to ask again when the server answers 429 or 503, which say that nothing was done.",
    )  # fmt: skip
    retry_wait_seconds: float = Field(
        30.0, ge=0, le=600,
        description="Longest wait before asking again, in seconds; a server that wants longer is given up.",
    )  # fmt: skip
    response: Literal["auto", "json", "text", "base64"] = Field(
        "auto", title="Answer as",
        description="auto: JSON when the server says so, else text, else base64. json: anything else is a failure.",
    )  # fmt: skip
    save_to: str = Field(
        "", max_length=4096, title="Save to file",
        description="File that takes the body, inside the folders of workflows; an existing one is replaced.",
        json_schema_extra=form(placeholder="downloads/report.pdf"),
    )  # fmt: skip
    max_file_mib: int = Field(
        1024, ge=1, le=65_536, title="Largest file (MiB)", description="A larger file is refused, in MiB."
    )
    max_response_kib: int = Field(
        4096, ge=1, le=65_536, title="Largest answer (KiB)",
        description="A larger answer (all pages together) is refused, in KiB.",
    )  # fmt: skip
    follow_redirects: bool = Field(True, description="Go where the server redirects to, at most ten times.")
    fail_on_status: bool = Field(
        True, description="Treat an answer of status 400 and above as a failure of the step."
    )
    ca_certificates: CaCertificates = ""
    after_crash: Literal["auto", "key", "once"] = Field(
        "auto",
        description=(
            "When a crash leaves the outcome unknown. auto: repeat GET, HEAD and OPTIONS, never anything else."
            " key: repeat, and send the same Idempotency-Key header, for servers that honour it. once: never repeat."
        ),
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.auth == "oauth2" and not (self.token_url and self.client_id):
            raise ValueError("oauth2 needs token_url and client_id")
        if self.auth == "api_key" and not self.api_key:
            raise ValueError("api_key needs the key")
        if self.save_to and self.paging != "none":
            raise ValueError("save_to takes one answer, so paging must be none")
        if self.save_to and self.response != "auto":
            raise ValueError("save_to keeps the body as it is, so response must be auto")
        return self
