/// Why a request's body, or one record of it, cannot be turned into sequences, and where.
///
/// ```swift
/// do { _ = try InstancesDecoder(signature: signature).decode(body) } catch {
///     print(error.place)    // instances[3][7]
///     print(error.message)  // a row has 3 features, the model takes 12
/// }
/// ```
public enum BodyError: Error, Hashable, Sendable {
    /// The bytes are not the format they claim to be, or a value has the wrong JSON type: status 400.
    case invalidJSON(SyntaxFault, at: BodyPlace)
    /// A well-formed body breaks a rule of the model or of the server: status 422.
    case invalidInput(InputRule, at: BodyPlace)

    /// Where the fault is.
    public var place: BodyPlace {
        switch self {
        case .invalidJSON(_, let place), .invalidInput(_, let place): place
        }
    }

    /// The rule that was broken, with its limit; never a value of the body.
    public var message: String {
        switch self {
        case .invalidJSON(let fault, _): fault.description
        case .invalidInput(let rule, _): rule.description
        }
    }

    /// The same fault, seen from the container that holds the value.
    func inside(_ step: BodyPlace.Step) -> BodyError {
        switch self {
        case .invalidJSON(let fault, let place): .invalidJSON(fault, at: place.inside(step))
        case .invalidInput(let rule, let place): .invalidInput(rule, at: place.inside(step))
        }
    }

    /// The same fault on a line of a text body.
    func onLine(_ line: Int) -> BodyError {
        switch self {
        case .invalidJSON(let fault, let place): .invalidJSON(fault, at: place.onLine(line))
        case .invalidInput(let rule, let place): .invalidInput(rule, at: place.onLine(line))
        }
    }
}

extension BodyError: CustomStringConvertible {
    /// Place and rule in one line.
    public var description: String {
        let place = "\(place)"
        return place.isEmpty ? message : "\(place): \(message)"
    }
}
