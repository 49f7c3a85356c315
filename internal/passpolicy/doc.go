// Package passpolicy judges a new cloud password as Microsoft documents it for cloud-only accounts: length, characters and
// kinds (Microsoft: password policies and account restrictions), scoring against banned words and the person's own names
// (Microsoft: Eliminate bad passwords with Microsoft Entra Password Protection), and, beyond that, a file of passwords that
// have leaked.
//
// In come a password and the names of its owner; out comes nil, a Refusal whose text is meant for the person, or an error
// when nobody could look. The package never keeps, logs or prints a password or its hash, and reads a breached file in
// place, however large it is.
package passpolicy
