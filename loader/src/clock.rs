//! The time of day as RFC 3339 writes it, for records and history.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// This second, in UTC: `2026-11-23T12:00:00Z`.
pub(crate) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    rfc3339(since.as_secs())
}

/// A time of the boot clock, in nanoseconds, as a time of day: `2026-11-23T12:00:00.000001Z`.
pub(crate) fn of_boot(at: u64) -> String {
    let since_boot = clock_gettime(ClockId::Boottime);
    let ago = nanoseconds(since_boot.tv_sec, since_boot.tv_nsec).saturating_sub(at);
    let now = clock_gettime(ClockId::Realtime);
    let then = nanoseconds(now.tv_sec, now.tv_nsec).saturating_sub(ago);
    let day = rfc3339(then / SECOND);
    format!("{}.{:06}Z", day.trim_end_matches('Z'), then % SECOND / 1_000)
}

/// Now by the boot clock, in nanoseconds.
pub(crate) fn boot() -> u64 {
    let since_boot = clock_gettime(ClockId::Boottime);
    nanoseconds(since_boot.tv_sec, since_boot.tv_nsec)
}

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

fn nanoseconds(seconds: i64, rest: i64) -> u64 {
    seconds.cast_unsigned().wrapping_mul(SECOND).wrapping_add(rest.cast_unsigned())
}

/// Seconds since 1970 as RFC 3339. Years are counted from March, so that the leap day is the last of its
/// year and months have a regular length; 719,468 days lie between 0000-03-01 and 1970-01-01.
fn rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::{boot, now, of_boot, rfc3339};

    #[test]
    fn the_boot_clock_tells_the_time_of_day() {
        let (before, told, after) = (now(), of_boot(boot()), now());
        let second = told.split('.').next().unwrap();
        assert!(before.trim_end_matches('Z') <= second && second <= after.trim_end_matches('Z'), "{told}");
        assert_eq!(told.len(), "2026-11-23T12:00:00.000001Z".len());
    }

    #[test]
    fn seconds_become_dates() {
        // As `date -u -d @SECONDS +%FT%TZ` prints them.
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (1_795_435_780, "2026-11-23T12:09:40Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, text) in known {
            assert_eq!(rfc3339(seconds), text);
        }
    }
}
