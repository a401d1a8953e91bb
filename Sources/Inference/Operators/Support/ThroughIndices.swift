import TensorCore

/// An operator that only moves elements, or only compares them, and so need not know that they are strings.
protocol TakingStrings: Operator {
    /// The inputs that are all strings or none; the others are numbers.
    var elementInputs: Range<Int> { get }
    /// The first outputs whose elements are those of the inputs; the others are numbers of their own.
    var movedOutputs: Range<Int> { get }
}

extension TakingStrings {
    var elementInputs: Range<Int> { 0..<1 }
    var movedOutputs: Range<Int> { 0..<Int.max }
}

/// An operator over strings: it gets their places in the sorted table of all of them, and what it moves are places.
///
/// Places compare as the strings do, so equality and order are kept.
struct ThroughIndices: Operator, TakingAllTypes {
    let computation: any TakingStrings

    var isFoldable: Bool { computation.isFoldable }

    func prepare(_ constants: [Tensor?]) -> (any Operator)? {
        (computation.prepare(constants) as? any TakingStrings).map { ThroughIndices(computation: $0) }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let values = (0..<inputs.count).map { inputs.value($0) }
        var texts: Set<String> = []
        var hasStrings = false
        for case .strings(let strings)? in values {
            hasStrings = true
            texts.formUnion(strings.values)
        }
        guard hasStrings else { return try computation.evaluate(inputs) }
        let table = texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let places = Dictionary(zip(table, table.indices)) { first, _ in first }
        var tensors: [Tensor?] = []
        for (index, value) in values.enumerated() {
            let wantsStrings = computation.elementInputs.contains(index)
            switch value {
            case nil: tensors.append(nil)
            case .tensor(let tensor)? where !wantsStrings: tensors.append(tensor)
            case .strings(let strings)? where wantsStrings:
                let numbers = strings.values.map { Int64(places[$0] ?? 0) }
                tensors.append(
                    try shaped { () throws(ShapeError) in try Tensor(numbers, shape: strings.shape) }
                )
            case let value?:
                let expected = wantsStrings ? "a tensor of strings" : "a tensor of numbers"
                throw .inputKind(input: index, expected: expected, actual: value.kind)
            }
        }
        let outputs: [Tensor]
        switch try NodeInputs.evaluate(
            computation,
            tensors,
            outputCount: inputs.outputCount,
            budget: inputs.budget
        ) {
        case .one(let tensor): outputs = [tensor]
        case .many(let several): outputs = several
        case .values:
            throw .inputKind(input: 0, expected: "a tensor of numbers", actual: "a tensor of strings")
        }
        var results: [Value] = []
        for (index, output) in outputs.enumerated() {
            guard computation.movedOutputs.contains(index), output.elementType == .int64 else {
                results.append(.tensor(output))
                continue
            }
            let strings = output.array(of: Int64.self).map { table[Int($0)] }
            results.append(.strings(try .checked(strings, output.shape)))
        }
        return .values(results)
    }
}

extension Compress: TakingStrings {}
extension Concat: TakingStrings {
    var elementInputs: Range<Int> { 0..<Int.max }
}
extension Expand: TakingStrings {}
extension Flatten: TakingStrings {}
extension GatherElements: TakingStrings {}
extension GatherND: TakingStrings {}
extension GatherOperator: TakingStrings {}
extension Reshape: TakingStrings {}
extension Slice: TakingStrings {}
extension Split: TakingStrings {}
extension Squeeze: TakingStrings {}
extension Tile: TakingStrings {}
extension TransposeOperator: TakingStrings {}
extension Unsqueeze: TakingStrings {}
extension Where: TakingStrings {
    var elementInputs: Range<Int> { 1..<3 }
}

extension Unique: TakingStrings {
    var movedOutputs: Range<Int> { 0..<1 }
}
extension Comparison: TakingStrings {
    var elementInputs: Range<Int> { 0..<2 }
    var movedOutputs: Range<Int> { 0..<0 }
}
extension ShapeOperator: TakingStrings {
    var movedOutputs: Range<Int> { 0..<0 }
}
extension Size: TakingStrings {
    var movedOutputs: Range<Int> { 0..<0 }
}
