#!/usr/bin/env bash
# Makes what compose.yaml mounts and must not be in a repository: certificates of an authority of your own, passwords of
# the directory's accounts, and empty data folders. It never overwrites: remove secrets/ to begin anew.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
if [ -e secrets ]; then
  echo "secrets/ is there already" >&2
  exit 1
fi
mkdir -p secrets data/gateway data/agent data/ldap data/prometheus

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=fourways example authority" \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" \
  -keyout secrets/ca.key -out secrets/ca.pem 2>/dev/null

# certificate NAME SUBJECT-ALTERNATIVE-NAMES
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "secrets/$1.key" -out "secrets/$1.csr" 2>/dev/null
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2" >"secrets/$1.ext"
  openssl x509 -req -in "secrets/$1.csr" -CA secrets/ca.pem -CAkey secrets/ca.key -CAcreateserial -days 365 \
    -extfile "secrets/$1.ext" -out "secrets/$1.pem" 2>/dev/null
  rm "secrets/$1.csr" "secrets/$1.ext"
}
certificate gateway DNS:gateway,DNS:localhost,IP:127.0.0.1
certificate ldap DNS:ldap,DNS:localhost,IP:127.0.0.1

for who in reader decoy alice; do
  openssl rand -base64 24 >"secrets/$who.password"
done

person() { # NAME SURNAME UNIT
  cat <<LDIF
dn: uid=$1,ou=$3,dc=corp,dc=example,dc=com
objectClass: inetOrgPerson
uid: $1
cn: $1 $2
sn: $2
displayName: ${1^} $2
mail: $1@corp.example.com
userPassword: $(cat "secrets/$1.password")

LDIF
}
cat >secrets/people.ldif <<LDIF
dn: dc=corp,dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: corp
o: Example

dn: ou=People,dc=corp,dc=example,dc=com
objectClass: organizationalUnit
ou: People

dn: ou=Service,dc=corp,dc=example,dc=com
objectClass: organizationalUnit
ou: Service

dn: cn=reader,dc=corp,dc=example,dc=com
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: reader
userPassword: $(cat secrets/reader.password)

$(person alice Adams People)

$(person decoy Account Service)
LDIF

# The containers run as whoever owns these files.
echo "FOURWAYS_USER=$(id -u):$(id -g)" >.env
echo "made secrets/, data/ and .env; alice@corp.example.com's password is in secrets/alice.password"
