package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"handler/hookvisor"
)

// The operations that a denial aborts cleanly; later ones have already happened.
var decided = []string{"prepare", "start", "migrate", "restore"}

// handle denies domains with more virtual CPUs than the settings allow. A panic is a failure, not a denial.
func handle(event hookvisor.Event) hookvisor.Outcome {
	if event.Kind != "domain" || !slices.Contains(decided, event.Event) {
		return hookvisor.Allow()
	}
	most, err := maxVcpus()
	if err != nil {
		panic(err)
	}
	vcpus := 1
	if found := hookvisor.Select("/domain/vcpu"); len(found) > 0 {
		if vcpus, err = strconv.Atoi(strings.TrimSpace(found[0])); err != nil {
			panic(err)
		}
	}
	hookvisor.Log(hookvisor.Debug, fmt.Sprintf("%q has %d vCPUs", event.Name, vcpus))
	if vcpus <= most {
		return hookvisor.Allow()
	}
	return hookvisor.Deny(fmt.Sprintf("the domain has %d vCPUs, at most %d are allowed; lower <vcpu>", vcpus, most))
}

// validate runs once, when the configuration is loaded.
func validate() error {
	_, err := maxVcpus()
	return err
}

// Settings of the administrator, {"maxVcpus":4}; must match settings.schema.json.
func maxVcpus() (int, error) {
	text, known := strings.CutPrefix(strings.TrimSuffix(hookvisor.Settings(), "}"), `{"maxVcpus":`)
	most, err := strconv.Atoi(text)
	if !known || err != nil || most < 1 {
		return 0, errors.New("maxVcpus must be a whole number from 1, and no other setting is known")
	}
	return most, nil
}

func init() {
	hookvisor.Handler = handle
	hookvisor.Validator = validate
}

func main() {}
