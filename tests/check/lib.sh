# SPDX-License-Identifier: GPL-2.0-or-later
# For the checks that are shell scripts: source it first. A check prints one line for each thing
# that is wrong, beginning with FILE:LINE, and ends with `verdict`.

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
wrong=0

# All files of the project, also those that are not added yet.
project_files() {
	/usr/bin/python3 tests/check/project.py "$@"
}

# Files whose first line is a #! that ends in one of the given words, as an extended regexp.
scripts_of() {
	project_files | xargs -d '\n' awk -v shells="^#!.*[/ ]($1)\$" \
		'FNR == 1 && $0 ~ shells { print FILENAME } { nextfile }'
}

complain() {
	printf '%s\n' "$*"
	wrong=$((wrong + 1))
}

# Takes complaints from stdin, one a line.
complain_of_each() {
	while IFS= read -r line; do
		complain "$line"
	done
}

verdict() {
	[ "$wrong" = 0 ] || exit 1
	exit 0
}
