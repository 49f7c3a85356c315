package config

import (
	"slices"
	"strings"
	"testing"
)

const licensed = `
[tenant]
usage_location = "nl"
[[domain]]
name = "cloud.example"
path = "cloud"
[[license]]
id = "E3"
seats = 25
services = ["mail", "files"]
[[app]]
id = "mail"
name = "Harbour Mail"
required_service = "mail"
assignment_required = true
roles = ["user", "admin"]
`

func TestPlansAndApplicationsComeFromTheFile(t *testing.T) {
	c, err := Load("f.toml", []byte(licensed))
	if err != nil {
		t.Fatal(err)
	}
	p, a := c.Plans()[0], c.Apps()[0]
	if p.ID != "E3" || p.Name != "E3" || p.Seats != 25 || !slices.Equal(p.Services, []string{"mail", "files"}) || !p.File {
		t.Errorf("%+v", p)
	}
	if a.Name != "Harbour Mail" || a.Service != "mail" || !a.Assigned || !slices.Equal(a.Roles, []string{"user", "admin"}) || !a.File {
		t.Errorf("%+v", a)
	}
	if c.Tenant.UsageLocation != "NL" {
		t.Errorf("usage location %q", c.Tenant.UsageLocation)
	}
	more, err := Load("f.toml", []byte(strings.Replace(licensed, "25", "30", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if live, restart := Changes(c, more); len(restart) != 0 || !slices.Equal(live, []string{`license "E3".seats`}) {
		t.Errorf("live %v, after a restart %v", live, restart)
	}
}

func TestAPlanThatTheDirectoryDoesNotTakeIsRefused(t *testing.T) {
	for _, row := range []struct{ was, is, says string }{
		{"seats = 25", "seats = -1", "license[0].id"},
		{`id = "E3"`, `id = "E 3"`, "is no id of a plan"},
		{`services = ["mail", "files"]`, `services = []`, "lets nobody use anything"},
		{`services = ["mail", "files"]`, `services = ["mail", "mail"]`, "named twice"},
		{`roles = ["user", "admin"]`, `roles = ["user", "us er"]`, "is no role"},
		{`usage_location = "nl"`, `usage_location = "Holland"`, "tenant.usage_location"},
		{"[[app]]", "[[license]]\nid = \"E3\"\nservices = [\"x\"]\n[[app]]", "configured twice"},
	} {
		if _, err := Load("f.toml", []byte(strings.Replace(licensed, row.was, row.is, 1))); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.is, err, row.says)
		}
	}
}
