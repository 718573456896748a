"""The chains and assets in which a gateway is paid, read from a JSON file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.billing.plans import read_file
from gateway.chain.transactions import Transactions
from shared.contract.base import Address
from shared.contract.billing import AssetItem, ChainItem
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import checksum_address

LowerAddress = Annotated[Address, AfterValidator(str.lower)]


class Asset(BaseModel):
    """An asset that is taken; ``contract`` is in lower case, None for the chain's own coin."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    symbol: str = Field(pattern=r"^[A-Za-z0-9.]{1,16}$")
    decimals: int = Field(ge=0, le=36)
    contract: LowerAddress | None = None

    def units(self, amount: Decimal) -> int | None:
        """Return whole units as base units; None where the asset has not that many decimals."""
        scaled = amount.scaleb(self.decimals)
        return int(scaled) if scaled == scaled.to_integral_value() else None

    def whole(self, units: int) -> str:
        """Return base units as whole units, exactly, as text."""
        sign, digits = "-" if units < 0 else "", str(abs(units)).rjust(self.decimals + 1, "0")
        if not self.decimals:
            return sign + digits
        rest = digits[-self.decimals :].rstrip("0")
        return sign + digits[: -self.decimals] + (f".{rest}" if rest else "")


class Chain(BaseModel):
    """A chain on which payments arrive at ``recipient`` and count after ``confirmations`` blocks."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    chain_id: int = Field(ge=1, le=2**53)
    name: str = Field(min_length=1, max_length=60)
    rpc_url: str = Field(pattern=r"^https?://[^\s/]")
    recipient: LowerAddress
    confirmations: int = Field(default=12, ge=1, le=10_000)
    assets: list[Asset] = Field(min_length=1, max_length=50)

    def asset(self, symbol: str) -> Asset | None:
        """Return the asset of a symbol."""
        return next((item for item in self.assets if item.symbol == symbol), None)

    def asset_at(self, contract: str | None) -> Asset | None:
        """Return the asset of a token's address, or the coin for None."""
        return next((item for item in self.assets if item.contract == contract), None)

    def transactions(self) -> Transactions:
        """Return the way to look up transactions."""
        return Transactions(self.rpc_url, self.chain_id)

    def shown(self) -> ChainItem:
        """Return the chain as the contract has it, without its node."""
        assets = [
            AssetItem(
                symbol=item.symbol,
                decimals=item.decimals,
                contract=checksum_address(item.contract) if item.contract else None,
            )
            for item in self.assets
        ]
        return ChainItem(
            chain_id=self.chain_id,
            name=self.name,
            recipient=checksum_address(self.recipient),
            confirmations=self.confirmations,
            assets=assets,
        )


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    chains: list[Chain] = Field(max_length=50)


class Chains:
    """All chains, by their number."""

    def __init__(self, chains: list[Chain]) -> None:
        self._chains = {chain.chain_id: chain for chain in chains}

    @classmethod
    def load(cls, path: Path | None) -> Chains:
        """Read the chains; none without a file. Raises CONFIGURATION."""
        if path is None:
            return cls([])
        read = read_file(_File, path, "GATEWAY_CHAINS").chains
        if len({chain.chain_id for chain in read}) < len(read):
            raise FloworkError(ErrorCode.CONFIGURATION, "GATEWAY_CHAINS: a chain is there twice.")
        for chain in read:
            for names in ([a.symbol for a in chain.assets], [a.contract for a in chain.assets]):
                if len(set(names)) < len(names):
                    message = f"GATEWAY_CHAINS: chain {chain.chain_id} has an asset twice."
                    raise FloworkError(ErrorCode.CONFIGURATION, message)
        return cls(read)

    def all(self) -> list[Chain]:
        """Return the chains in the order of the file."""
        return list(self._chains.values())

    def find(self, chain_id: int) -> Chain | None:
        """Return a chain by its number."""
        return self._chains.get(chain_id)

    def require(self, chain_id: int) -> Chain:
        """Return a chain; raises NOT_FOUND naming those there are."""
        chain = self.find(chain_id)
        if chain is None:
            known = ", ".join(f"{item.chain_id} ({item.name})" for item in self.all()) or "none"
            raise FloworkError(
                ErrorCode.NOT_FOUND, f"This gateway takes no payments on chain {chain_id}; it knows {known}."
            )
        return chain
