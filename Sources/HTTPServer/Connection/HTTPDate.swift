#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The `Date` field, made once a second; belongs to one event loop.
struct HTTPDate {
    private var second = -1
    private var text = ""

    /// The time now, as `Sun, 06 Nov 1994 08:49:37 GMT`.
    mutating func now() -> String {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        if moment.tv_sec != second {
            second = moment.tv_sec
            text = Self.format(second: moment.tv_sec)
        }
        return text
    }

    /// The IMF-fixdate of RFC 9110, section 5.6.7, for a number of seconds since 1970.
    static func format(second: Int) -> String {
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        var moment = time_t(second)
        var parts = tm()
        gmtime_r(&moment, &parts)
        let day = days[Int(parts.tm_wday)]
        let month = months[Int(parts.tm_mon)]
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(Self.twoDigits).joined(separator: ":")
        return "\(day), \(twoDigits(parts.tm_mday)) \(month) \(Int(parts.tm_year) + 1900) \(time) GMT"
    }

    private static func twoDigits(_ value: Int32) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}
