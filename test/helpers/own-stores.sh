# Runs a command with trust stores of its own: copies, mounted over the machine's in a namespace that ends with it.
# own-stores.sh DIRECTORY COMMAND…
set -e
directory=$1
shift
mount --bind "$directory/certs" /etc/ssl/certs
mount --bind "$directory/anchors" /usr/local/share/ca-certificates
# Hooks of other packages would write elsewhere.
[ ! -d /etc/ca-certificates/update.d ] || mount --bind "$directory/hooks" /etc/ca-certificates/update.d
[ ! -f /etc/ca-certificates.conf ] || mount --bind "$directory/ca-certificates.conf" /etc/ca-certificates.conf
exec "$@"
