# SPDX-License-Identifier: GPL-2.0-or-later
"""What is installed beside the program, tried without installing it here."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
