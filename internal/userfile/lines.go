package userfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// longestLine bounds a line, in bytes.
const longestLine = 32 << 10

// lines reads a file line by line. A line that is too long is skipped to its end.
type lines struct {
	in     *bufio.Reader
	number int
	length int // of the last one, in bytes
}

func newLines(r io.Reader) *lines { return &lines{in: bufio.NewReaderSize(r, longestLine)} }

// next is the next line that is not empty, without its end; it is good until the next call. io.EOF at the end, a BadLine
// for one that is too long, is no UTF-8 or holds a CR, a BadFile when the file is of another kind.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.in.ReadSlice('\n')
		if len(line) > 0 {
			l.number++
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, l.skip()
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case len(line) == 0:
			return nil, io.EOF
		}
		if l.number == 1 && isUTF16(line) {
			return nil, BadFile("the file is UTF-16: save it as UTF-8 (in Excel: CSV UTF-8)")
		}
		line = bytes.TrimPrefix(line, []byte{0xef, 0xbb, 0xbf}) // a mark begins each file of those that were joined
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(bytes.TrimSpace(line)) == 0:
			continue
		case bytes.IndexByte(line, '\r') >= 0:
			return nil, BadLine{l.number, "a carriage return stands in it: lines end with LF or CRLF, and those of old Macs with CR alone are to be converted first"}
		case !utf8.Valid(line):
			return nil, BadLine{l.number, "not UTF-8: save the file as UTF-8 (in Excel: CSV UTF-8)"}
		}
		l.length = len(line)
		return line, nil
	}
}

// skip leaves the rest of a line out.
func (l *lines) skip() error {
	for {
		_, err := l.in.ReadSlice('\n')
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return BadLine{l.number, "longer than 32 KiB"}
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// isUTF16 tells by the byte order mark.
func isUTF16(line []byte) bool {
	return bytes.HasPrefix(line, []byte{0xff, 0xfe}) || bytes.HasPrefix(line, []byte{0xfe, 0xff})
}
