#!/bin/sh
# Fills an empty directory with the people of secrets/people.ldif, then serves it.
set -eu
[ -e data/data.mdb ] || slapadd -q -f "${CONF:-slapd.conf}" -l secrets/people.ldif
exec slapd -d 0 -f "${CONF:-slapd.conf}" -h "${LISTEN:-ldaps://0.0.0.0:1636}"
