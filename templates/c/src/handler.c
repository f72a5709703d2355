#include <hookvisor.h>

/* Settings of the administrator; must match settings.schema.json. */
static bool read_max_vcpus(uint32_t *max) {
    hv_text value;
    return hv_setting("maxVcpus", &value) && hv_number(value, max) && *max > 0;
}

/* The operations that a denial aborts cleanly; later ones have already happened. */
static bool is_decided(hv_text event) {
    return hv_is(event, "prepare") || hv_is(event, "start") || hv_is(event, "migrate") || hv_is(event, "restore");
}

/* Denies domains with more virtual CPUs than the settings allow. */
static hv_outcome hv_handle(const hv_event *event) {
    if (!hv_is(event->kind, "domain") || !is_decided(event->event)) return hv_allow();
    uint32_t max, vcpus = 1;
    if (!read_max_vcpus(&max)) hv_fail();
    hv_texts found = hv_select("/domain/vcpu");
    if (found.length > 0 && !hv_number(found.items[0], &vcpus)) hv_fail();
    if (vcpus <= max) return hv_allow();
    hv_text reason = hv_join(hv_of("the domain has "), hv_decimal(vcpus));
    reason = hv_join(hv_join(reason, hv_of(" vCPUs, at most ")), hv_decimal(max));
    return hv_deny(hv_join(reason, hv_of(" are allowed; lower <vcpu>")));
}
HV_HANDLER()

/* Runs once, when the configuration is loaded. */
static const char *hv_validate(void) {
    uint32_t max;
    return read_max_vcpus(&max) ? NULL : "maxVcpus must be a whole number from 1";
}
HV_CONFIGURABLE()
