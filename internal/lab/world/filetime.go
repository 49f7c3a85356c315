package world

import (
	"strconv"
	"time"
)

// sinceUnix is 1970 in units of 100 ns since 1601.
const sinceUnix = 116444736000000000

// Ticks is a time as Active Directory counts it: units of 100 ns since 1601 ([MS-DTYP] 2.3.3, FILETIME).
func Ticks(t time.Time) int64 { return t.UnixNano()/100 + sinceUnix }

// FromTicks is the time that so many ticks stand for.
func FromTicks(n int64) time.Time { return time.Unix(0, (n-sinceUnix)*100) }

func filetime(t time.Time) string { return strconv.FormatInt(Ticks(t), 10) }
