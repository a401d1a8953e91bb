import ONNXGraph
import TensorCore

/// Finds which input is the sequences, which the mask, and which the lengths.
struct InputInference {
    private let graph: Graph
    private let statements: SignatureStatements
    private let inputs: [DeclaredValue]

    private(set) var sequence: DeclaredValue
    private(set) var mask: DeclaredValue?
    private(set) var lengths: DeclaredValue?
    /// How the graph uses ``sequence``.
    let usage: InputUsage

    init(_ graph: Graph, _ statements: SignatureStatements) throws(SignatureError) {
        self.graph = graph
        self.statements = statements
        inputs = try Self.declaredInputs(graph)
        let stated = Self.Stated(statements)
        try stated.check(against: inputs)

        let open = inputs.filter { !stated.otherRoles.contains($0.name) }
        sequence = try Self.sequence(among: open, named: stated.sequence, in: graph)
        usage = InputUsage(of: sequence, in: graph)

        var rest = inputs
        rest.removeAll { [name = sequence.name] in $0.name == name }
        mask = try Self.mask(among: rest, named: stated.mask, sequence: sequence)
        rest.removeAll { [name = mask?.name] in $0.name == name }
        lengths = try Self.lengths(among: rest, named: stated.lengths)
        rest.removeAll { [name = lengths?.name] in $0.name == name }
        if let left = rest.first { throw .unassignedInput(left.name, axes: left.axisNames) }
    }

    /// The names that statements give to inputs.
    private struct Stated {
        let sequence: String?
        let mask: String?
        let lengths: String?

        init(_ statements: SignatureStatements) {
            sequence = statements.sequence?.name
            mask = statements.mask?.name
            lengths = statements.lengths?.name
        }

        var otherRoles: Set<String> { Set([mask, lengths].compactMap(\.self)) }

        func check(against inputs: [DeclaredValue]) throws(SignatureError) {
            let known = inputs.map(\.name)
            for name in [sequence, mask, lengths].compactMap(\.self) where !known.contains(name) {
                throw .unknownInput(name, known: known)
            }
        }
    }

    private static func declaredInputs(_ graph: Graph) throws(SignatureError) -> [DeclaredValue] {
        var declared: [DeclaredValue] = []
        for input in graph.requiredInputs {
            guard let axes = input.dimensions else { throw .undeclaredAxes(input: input.name) }
            let value = DeclaredValue(name: input.name, elementType: input.elementType, axes: axes)
            guard value.rank <= 3 else { throw .unsupportedRank(input: value.name, axes: value.axisNames) }
            declared.append(value)
        }
        return declared
    }

    // MARK: Sequences

    private static func sequence(
        among inputs: [DeclaredValue],
        named name: String?,
        in graph: Graph
    ) throws(SignatureError) -> DeclaredValue {
        if let named = inputs.first(where: { $0.name == name }) {
            guard named.rank >= 2 else { throw .unsupportedRank(input: named.name, axes: named.axisNames) }
            return named
        }
        let integers = inputs.filter { $0.isInteger && $0.rank == 2 }
        var tokens = integers.filter { InputUsage(of: $0, in: graph).vocabularySize != nil }
        var features = inputs.filter { $0.isFloating && $0.rank == 3 && !$0.isNamedMask }
        if !tokens.isEmpty || features.count > 1 {
            features.removeAll { $0.length(1) == 1 }
        }
        if tokens.isEmpty && features.isEmpty { tokens = integers.filter { !$0.isNamedMask } }
        let candidates = tokens + features
        guard let first = candidates.first else { throw .noSequenceInput(inputs: inputs.map(\.name)) }
        guard candidates.count == 1 else { throw .severalSequenceInputs(candidates.map(\.name)) }
        return first
    }

    // MARK: Mask and lengths

    private static func mask(
        among inputs: [DeclaredValue],
        named name: String?,
        sequence: DeclaredValue
    ) throws(SignatureError) -> DeclaredValue? {
        var candidates = inputs.filter { $0.name == name }
        if candidates.isEmpty {
            candidates = inputs.filter { $0.rank >= 2 && ($0.isDynamic($0.rank - 1) || $0.isNamedMask) }
            if candidates.count > 1 { candidates = candidates.filter(\.isNamedMask) }
            if let mask = candidates.first, mask.isNamedPaddingMask { throw .paddingMask(input: mask.name) }
        }
        guard candidates.count <= 1 else { throw .severalMasks(candidates.map(\.name)) }
        guard let mask = candidates.first else { return nil }
        guard mask.rank == 2 || (mask.rank == 3 && (mask.length(1) ?? 1) == 1) else {
            throw .maskAxes(input: mask.name, axes: mask.axisNames)
        }
        switch mask.elementType {
        case .float32, .int64, .bool: break
        default: throw .unsupportedElementType(input: mask.name, meaning: "a mask: float32, int64 or bool")
        }
        try checkBatch(mask)
        if let length = mask.length(mask.rank - 1) { throw .fixedLength(input: mask.name, length: length) }
        return mask
    }

    private static func lengths(
        among inputs: [DeclaredValue],
        named name: String?
    ) throws(SignatureError) -> DeclaredValue? {
        var candidates = inputs.filter { $0.name == name }
        if candidates.isEmpty { candidates = inputs.filter { $0.rank == 1 && $0.isInteger } }
        guard candidates.count <= 1 else { throw .severalLengths(candidates.map(\.name)) }
        guard let lengths = candidates.first else { return nil }
        guard lengths.rank == 1, lengths.isInteger else {
            throw .unsupportedElementType(input: lengths.name, meaning: "lengths: int64 or int32 [batch]")
        }
        try checkBatch(lengths)
        return lengths
    }

    /// Refuses an input for batches of one size only.
    static func checkBatch(_ input: DeclaredValue) throws(SignatureError) {
        if let size = input.length(0) { throw .fixedBatch(input: input.name, size: size) }
    }
}
