/// The value of an option that may be left out.
struct Optionally<Value: LosslessStringConvertible & Sendable>: LosslessStringConvertible, Sendable {
    /// The value; nil if the option was left out.
    let value: Value?

    init(_ value: Value?) {
        self.value = value
    }

    init?(_ description: String) {
        guard let value = Value(description) else { return nil }
        self.value = value
    }

    /// The value, or `none`.
    var description: String { value?.description ?? "none" }
}
