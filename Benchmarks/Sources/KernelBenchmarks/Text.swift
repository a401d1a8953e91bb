/// A number with a fixed number of decimals.
///
/// - Parameters:
///   - value: Any finite number below 10^12.
///   - decimals: 0 to 6.
/// - Returns: The text, rounded.
func fixed(_ value: Double, _ decimals: Int = 1) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let whole = Int((value * scale).rounded())
    guard decimals > 0 else { return "\(whole)" }
    let fraction = String(whole % Int(scale))
    return "\(whole / Int(scale))." + String(repeating: "0", count: decimals - fraction.count) + fraction
}

extension String {
    /// The text with blanks before it.
    func right(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
    /// The text with blanks behind it.
    func left(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
