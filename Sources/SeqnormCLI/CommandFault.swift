/// Why a command failed, as it is printed: `error: PLACE: REASON`.
struct CommandFault: Error, Equatable, CustomStringConvertible {
    /// A path, a URL or an address.
    let place: String
    /// The rule that is broken, or what the operating system says.
    let reason: String

    var description: String { "\(place): \(reason)" }

    /// Runs a function, and names the place in what it throws.
    ///
    /// - Parameters:
    ///   - place: Where a fault lies.
    ///   - body: What may fail, with a reason in words.
    /// - Returns: What `body` gives.
    /// - Throws: A fault of `place`.
    static func locating<Value>(_ place: String, _ body: () throws -> Value) throws(CommandFault) -> Value {
        do {
            return try body()
        } catch {
            throw CommandFault(place: place, reason: "\(error)")
        }
    }
}
