#[allow(dead_code)]
mod hookvisor;

use hookvisor::{log, select, settings, Event, Level, Outcome};

/// The operations that a denial aborts cleanly; later ones have already happened.
const DECIDED: [&str; 4] = ["prepare", "start", "migrate", "restore"];

/// Denies domains with more virtual CPUs than the settings allow. A panic is a failure, not a denial.
fn handle(event: Event) -> Outcome {
    if event.kind != "domain" || !DECIDED.contains(&event.event.as_str()) {
        return Outcome::Allow;
    }
    let max = max_vcpus().unwrap();
    let vcpus: u32 = select("/domain/vcpu").first().map_or(1, |text| text.trim().parse().unwrap());
    log(Level::Debug, format_args!("{:?} has {} vCPUs", event.name, vcpus));
    if vcpus <= max {
        return Outcome::Allow;
    }
    Outcome::Deny(format!("the domain has {} vCPUs, at most {} are allowed; lower <vcpu>", vcpus, max))
}

/// Runs once, when the configuration is loaded.
fn validate() -> Result<(), String> {
    max_vcpus().map(|_| ())
}

/// Settings of the administrator, `{"maxVcpus":4}`; must match settings.schema.json.
fn max_vcpus() -> Result<u32, String> {
    let json = settings();
    json.strip_prefix("{\"maxVcpus\":")
        .and_then(|rest| rest.strip_suffix('}'))
        .and_then(|text| text.parse().ok())
        .filter(|max| *max > 0)
        .ok_or_else(|| "maxVcpus must be a whole number from 1, and no other setting is known".to_string())
}

hookvisor::export!(handle, validate);
