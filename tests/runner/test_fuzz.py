# SPDX-License-Identifier: GPL-2.0-or-later
"""What a fuzzer finds is a failure, whatever exit code the fuzzer has for it."""

import os
import subprocess

import pytest

from programs import TOP, count_exit

FUZZER = """#include <stdlib.h>
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	if (%s)
		abort();
	return 0;
}
"""


@pytest.mark.parametrize("fails", (False, True))
def test_a_fuzzer(tmp_path, fails):
    source, program = tmp_path / "fuzzer.c", tmp_path / "tests/fuzz/fuzzer"
    program.parent.mkdir(parents=True)
    source.write_text(FUZZER % ("size > 1" if fails else "size > 1 << 20"))
    subprocess.run(("clang", "-fsanitize=fuzzer", source, "-o", program), check=True)
    ran = subprocess.run(("tests/fuzz/short", "fuzzer", "1"), cwd=TOP, check=False,
                         env=os.environ | {"B": str(tmp_path)}, capture_output=True)
    counts = count_exit("", ran.returncode)
    assert (counts.passed, counts.failed, counts.skipped) == (not fails, fails, 0)
