"""``python -m gateway``: the gateway for development and for `flowork up`, one process with its own server."""

from gateway import green

if __name__ == "__main__":
    green.patch_if_chosen()  # before anything else is imported

    import os
    import sys

    from gateway import lean
    from shared import collector

    collector.pause()
    lean.import_without_clients(os.environ)

    from gateway.serve import main

    sys.exit(main(os.environ))
