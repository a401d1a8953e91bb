/// Settles options of the common kinds; every function throws as ``Setting`` does.
struct SettingReader {
    /// The process's environment.
    let environment: [String: String]

    init(_ environment: [String: String]) { self.environment = environment }

    /// An integer in a range.
    func count(
        _ name: String,
        _ flag: Int?,
        default standard: Int,
        in range: ClosedRange<Int>
    ) throws -> Setting<Int> {
        try Setting(
            name,
            flag: flag,
            environment: environment,
            default: standard,
            rule: "an integer in \(range.lowerBound) ... \(range.upperBound)",
            where: range.contains
        )
    }

    /// A time in seconds, from `least` to a day; from 0 where none at all has a meaning.
    func seconds(
        _ name: String,
        _ flag: Double?,
        default standard: Double,
        least: Double = 0.001
    ) throws -> Setting<Double> {
        try Setting(
            name,
            flag: flag,
            environment: environment,
            default: standard,
            rule: "a number of seconds in \(least == 0 ? "0" : "\(least)") ... 86400",
            where: (least...86400).contains
        )
    }

    /// Yes or no.
    func flag(_ name: String, _ flag: Bool?, default standard: Bool) throws -> Setting<Bool> {
        try Setting(
            name,
            flag: flag,
            environment: environment,
            default: standard,
            rule: "true or false"
        )
    }

    /// A text that may be left out.
    func text(
        _ name: String,
        _ flag: String?,
        rule: String,
        where isValid: (String) -> Bool = { !$0.isEmpty }
    ) throws -> Setting<Optionally<String>> {
        try Setting(
            name,
            flag: flag.map { Optionally<String>(Optional($0)) },
            environment: environment,
            default: Optionally<String>(nil as String?),
            rule: rule,
            where: { $0.value.map(isValid) ?? true }
        )
    }
}
