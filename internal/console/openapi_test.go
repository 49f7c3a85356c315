package console

import (
	"net/http"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/fourways-id/fourways/internal/golden"
)

func TestTheDocumentIsValidAndTheReferenceIsUpToDate(t *testing.T) {
	w := ask(New(Ports{Access: &book{}, Lab: &LabPorts{}}, noon{}), "", "GET", "/api/openapi.json", "")
	if w.Code != http.StatusOK {
		t.Fatalf("without a token it gets %d", w.Code)
	}
	document, err := libopenapi.NewDocument(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, faults := v.ValidateDocument(); !ok {
		for _, f := range faults {
			t.Errorf("%s: %s %v", f.Message, f.Reason, f.SchemaValidationErrors)
		}
	}
	golden.Check(t, "../../docs/reference/openapi.json", w.Body.String())
}
