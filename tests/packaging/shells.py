# SPDX-License-Identifier: GPL-2.0-or-later
"""What shells complete, by their own machinery and the files that are installed for them."""

import os
import pathlib
import pty
import shlex
import subprocess

from net import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPLETIONS = ROOT / os.environ.get("B", "build") / "completions"

BASH = r"""
. "$1"
function=_${1##*/}
while IFS= read -r line; do
	# bash itself takes = for a word's end
	read -r -a COMP_WORDS <<<"${line//=/ = }"
	[[ $line != *[\ =] ]] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	"${function//-/_}"
	echo "${COMPREPLY[*]}"
done
"""

# Everything that is offered goes through compadd.
ZSH = r"""
PS1= PS2=
fpath=({completions} $fpath)
autoload -Uz compinit
compinit -u -D
zstyle ':completion:*' list-colors ''
compadd() {{
	local -a found
	if [[ -z $argv[(r)-[OAD]*] ]]; then
		builtin compadd -O found "$@"
		print -rl -- $found >>{replies}
	fi
	builtin compadd "$@"
}}
zle-line-init() {{
	[[ -z $asked ]] || print -r -- $asked >>{replies}
	asked=
}}
zle -N zle-line-init
bindkey -e
"""


def bash(lines, program="synward"):
    """What bash completes at the end of each of the lines: {line: [word, ...]}."""
    got = subprocess.run(("bash", "-c", BASH, "bash", COMPLETIONS / program), text=True,
                         input="".join(f"{line}\n" for line in lines), capture_output=True,
                         check=True, timeout=60)
    assert not got.stderr
    return dict(zip(lines, map(str.split, got.stdout.splitlines()), strict=True))


class Zsh:
    """An interactive one, on a terminal whose output nobody looks at."""

    def __init__(self, directory):
        self.replies, self.asked = directory / "replies", 0
        self.replies.touch()
        self.child, self.terminal = pty.fork()
        if not self.child:
            os.chdir(directory)
            os.execvpe("zsh", ("zsh", "-f", "-i"), {**os.environ, "TERM": "dumb", "HOME": "."})
        os.set_blocking(self.terminal, False)
        setup = directory / "setup"
        setup.write_text(ZSH.format(completions=shlex.quote(str(COMPLETIONS)), replies=self.replies))
        self.say(f" . {setup}\r")
        self.settle()

    def say(self, text):
        for letter in text.encode():
            os.write(self.terminal, bytes([letter]))

    def settle(self):
        """
        The line that was begun is taken back, and the answers that came before this are there. It is over when zsh reads
        keys again, not when it has run the line: until then the terminal edits what is typed, and would take a line
        that is begun now back as well, with its tab, as soon as the next control-U comes.
        """
        self.asked += 1
        end = f"end {self.asked}"
        self.say(f"\x15 asked='{end}'\r")

        def ended():
            try:
                os.read(self.terminal, 65536)
            except BlockingIOError:
                pass
            return self.replies.read_text().endswith(f"{end}\n")

        wait_for(ended, "zsh to come to the end of a line")
        words = self.replies.read_text().splitlines()[:-1]
        self.replies.write_text("")
        return words

    def complete(self, line):
        self.say(f"{line}\t")
        return [word for word in self.settle() if word]

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.child, 0)
