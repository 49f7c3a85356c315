package fourwaystest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// answerLimit bounds an answer of the console, in bytes.
const answerLimit = 64 << 20

// ask calls the console's API. body nil sends none; out nil reads none.
func (l *Lab) ask(method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), hangGuard)
	defer cancel()
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, l.ConsoleURL+"/api/v1/"+path, sent)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+l.Token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	transport := &http.Transport{DisableKeepAlives: true} // and no proxy: the console is on this machine
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return fmt.Errorf("the lab's console does not answer: %w%s", err, l.p.lastWords())
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if err != nil {
		return fmt.Errorf("read the console's answer: %w", err)
	}
	if res.StatusCode/100 != 2 {
		var p struct{ Title, Detail string }
		_ = json.Unmarshal(raw, &p) // what is no problem document says nothing, then the status tells
		return fmt.Errorf("the console says %s: %s", res.Status, cmp.Or(p.Detail, p.Title, "no more than that"))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}
