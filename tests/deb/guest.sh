# SPDX-License-Identifier: GPL-2.0-or-later
# What an emulated machine with systemd is asked, in two boots. Sourced by the scripts of test_machine.py.

failures=0

# want WORDS COMMAND...: the command is to succeed, at once or after a while
want() {
	words=$1 tries=0
	shift
	until "$@" >/tmp/said 2>&1; do
		tries=$((tries + 1))
		if [ $tries = 100 ]; then
			failures=$((failures + 1))
			echo "NOT: $words: $*"
			cat /tmp/said
			synward status
			journalctl -b -n 40 --no-pager
			return
		fi
		sleep 0.2
	done
	echo "ok: $words"
}

not() { ! "$@"; }
is() { systemctl is-active synward@eth0 | grep -qx "$1"; }
says() { # WORDS COMMAND...
	expected=$1
	shift
	"$@" | grep -q -- "$expected"
}
told() { # TYPE [COUNT]: so many events of that type are in the journal, or some
	count=$(journalctl -b -o cat "SYNWARD_EVENT=$1" | wc -l)
	if [ "$2" ]; then [ "$count" = "$2" ]; else [ "$count" != 0 ]; fi
}
connects() { ip netns exec far nc -z -w 5 192.0.2.1 80; }
reader() { setpriv --reuid 65534 --regid 65534 "$@" synward stats; }
exporter() { printf 'GET %s HTTP/1.0\r\n\r\n' "$1" | nc -w 5 127.0.0.1 9945; }
program() { synward -j status | sed 's/.*"program_id":\([0-9]*\).*"hook":"xdp".*/\1/'; }
accepted() { synward -j stats | sed 's/.*"accepted":\([0-9]*\).*/\1/'; }
