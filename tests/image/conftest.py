# SPDX-License-Identifier: GPL-2.0-or-later
"""The package that the image is made of."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
