"""What requests to servers on loopback give as `verify`."""

from __future__ import annotations

import ssl

# Without it every single request would read the list of certificate authorities anew, at 30 ms each.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
