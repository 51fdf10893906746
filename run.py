#!/usr/bin/env python3
"""Entry point of the command line: runs pipelines, lists them, checks the machine, manages stacks."""

import sys

from runner.command_line import main

if __name__ == "__main__":
    sys.exit(main())
