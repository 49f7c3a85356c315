package mail

import (
	"strings"

	"github.com/fourways-id/fourways/authn"
)

// letter is a demo message.
type letter struct{ From, Subject, Text string }

// letters is everybody's inbox: the first letter is about the visitor's own way in.
func letters(v Visitor) []letter {
	return []letter{
		{"The front door", "How you came in", pathExplained(v.Path)},
		{"Harbour master", "Berth 4 is free again", "The ferry left at dawn. The key hangs behind the third lifebuoy."},
		{"Canteen", "Soup of the day", "Fish, of course. There is a second pot for those who have had enough of fish."},
		{"Lost and found", "One umbrella, blue", "Left on the quay on the day without rain. It can be had at the lighthouse."},
	}
}

// shout is a path in words, as a page's heading shows it.
func shout(p authn.Path) string { return strings.ToUpper(p.InWords()) }

// pathExplained says in one sentence who decided.
func pathExplained(p authn.Path) string {
	switch p {
	case authn.PathCloud:
		return "The gateway checked your password against a hash that lives only in the cloud."
	case authn.PathPHS:
		return "The gateway checked your password against a hash of the hash that was synchronised from your organisation's directory. The directory itself was not asked."
	case authn.PathPTA:
		return "An agent in your organisation's network took your password, sealed for it alone, to your organisation's directory, which decided."
	case authn.PathFederated:
		return "Another identity provider signed you in and vouched for you. The gateway never saw your password."
	default:
		return "Nobody knows how."
	}
}
