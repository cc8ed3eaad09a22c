# Runs a program in a network of its own, of which nothing but one port of this machine's loopback can be seen. Chromium drops
# its connections whenever an interface comes or goes, and the containers of other tests bring and take theirs all the time.
# quiet-network.sh PORT SOCKET NODE PROGRAM ARGUMENT…
set -e
port=$1 socket=$2 node=$3
shift 3
# `ip link set lo up`, where there may be no ip: SIOCSIFFLAGS with IFF_UP.
perl -e 'my $up = pack("a16s", "lo", 1); socket(S, 2, 2, 0) && ioctl(S, 0x8914, $up) || die "lo: $!\n"'
"$node" "$(dirname "$0")/forward-port.mjs" "$port" "$socket" 3<&- 4>&- &
exec "$@"
