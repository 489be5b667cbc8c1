"""python -m firmware_tools is the command `heed`."""

from firmware_tools.cli import main

main(prog_name="heed")
