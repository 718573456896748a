"""``python -m core_engine``: an engine."""

if __name__ == "__main__":
    from shared import collector

    collector.pause()

    import os
    import sys

    from core_engine.process import main

    collector.resume()

    sys.exit(main(os.environ))
