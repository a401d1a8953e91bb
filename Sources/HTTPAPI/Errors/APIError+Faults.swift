import Serving

extension APIError {
    /// What a client is told of one of several sequences at fault.
    public struct Fault: Hashable, Sendable {
        /// The place of the sequence in the request, from 0.
        public var index: Int
        /// The place of the fault.
        public var path: String?
        /// The code of the sequence's own error.
        public var code: Code
        /// The sentence of the sequence's own error.
        public var message: String
    }

    /// The most faults that an error lists.
    public static let maxFaults = 32

    /// The error of the first of several faulty sequences, with a list of all.
    ///
    /// - Parameters:
    ///   - count: How many sequences are at fault, at least 1.
    ///   - errors: The first of them, in order, with their places in the request.
    init(count: Int, _ errors: some Sequence<(index: Int, error: APIError)>) {
        let told = Array(errors.prefix(Self.maxFaults))
        self = told.first?.error ?? APIError(BodyError.invalidInput(.noSequences, at: BodyPlace()))
        guard count > 1 else { return }
        faultCount = count
        faults = told.map {
            Fault(index: $0.index, path: $0.error.path, code: $0.error.code, message: $0.error.message)
        }
    }

    init(_ error: InstanceFaults) {
        self.init(
            count: error.faults.count,
            error.faults.prefix(Self.maxFaults).lazy.map { ($0.index, APIError($0.error)) }
        )
    }

    init(_ faults: [SequenceFault], place: (Int) -> String) {
        self.init(
            count: faults.count,
            faults.prefix(Self.maxFaults).map { fault in (fault.index, APIError(fault.error, place: place)) }
        )
    }
}
