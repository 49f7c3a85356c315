package realtest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// loopback draws an address of 127.0.0.0/8 on which all the given TCP ports are free. Linux answers on the whole
// block without set-up, so every server has the standard ports to itself, even beside another test run.
func loopback(ports ...int) (string, error) {
	var last error
	for range 20 {
		var b [3]byte
		if _, err := rand.Read(b[:]); err != nil {
			return "", err
		}
		// The first octets away from 127.0.x.x, where people's own services are; the last never 0 or 255.
		ip := fmt.Sprintf("127.%d.%d.%d", 64+int(b[0])%128, b[1], 1+int(b[2])%254)
		if last = free(ip, ports); last == nil {
			return ip, nil
		}
	}
	return "", fmt.Errorf("no loopback address has ports %v free: %w", ports, last)
}

func free(ip string, ports []int) error {
	var problems []error
	for _, port := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		problems = append(problems, l.Close())
	}
	return errors.Join(problems...)
}
