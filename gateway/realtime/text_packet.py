"""Socket.IO packets that hold JSON only, which are all that are sent here."""

from __future__ import annotations

import re

import socketio
from typing_extensions import override

from gateway.realtime import wire_json

_USUAL = re.compile(r"([23])(/[a-z-]{1,40}),([0-9]{0,15})(?=\[)")
"""An event or an acknowledgement in one of our namespaces."""


class TextPacket(socketio.packet.Packet):  # type: ignore[misc] # python-socketio has no types
    """A packet without attachments: no value is searched for bytes, and what usually comes is read at one look."""

    uses_binary_events = False
    json = wire_json

    @override
    def decode(self, encoded_packet: str) -> int:
        found = _USUAL.match(encoded_packet)
        if found is None:
            attachments: int = super().decode(encoded_packet)
            return attachments
        kind, self.namespace, number = found.groups()
        self.packet_type = int(kind)
        self.id = int(number) if number else None
        self.data = wire_json.loads(encoded_packet[found.end() :])
        return 0
