#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Numbers as people read them, the same in every locale.
enum Figures {
    /// Four significant digits: `0.1235`, `12.35`, `1.235e-07`; a true minus sign.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "not a number" }
        if value.isInfinite { return value < 0 ? "−∞" : "∞" }
        if value == 0 { return "0" }
        return printed("%.4g", value)
    }

    /// A number in a format of C's `printf`, with a true minus sign.
    static func printed(_ format: String, _ value: Double) -> String {
        var bytes = [CChar](repeating: 0, count: 512)
        _ = withVaList([value]) { vsnprintf(&bytes, bytes.count, format, $0) }
        return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .replacing("-", with: "−")
    }

    /// A whole number with thin spaces between thousands: `12 345`.
    static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { result += "\u{202F}" }
            result.append(digit)
        }
        return value < 0 ? "−" + result : result
    }

    /// Words for a number of things: `1 batch`, `9 batches`.
    static func count(_ value: Int, _ one: String, _ many: String) -> String {
        "\(count(value)) \(value == 1 ? one : many)"
    }

    /// A coordinate of a figure: at most two decimals.
    static func coordinate(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let rounded = (min(max(value, -1e6), 1e6) * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }
}
