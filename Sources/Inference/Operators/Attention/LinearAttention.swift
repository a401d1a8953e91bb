import TensorCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// LinearAttention: a state of keys times values that is updated at every position and read by its query.
///
/// For each position: `S = exp(decay) * S` (gated rules), `v = beta * (v - S' k)` (delta rules), `S = S + k v'`, and the
/// output is `scale * S' q`. Query, key and value are `[B, T, heads * width]`; several query heads may share a head of
/// keys. Computed in float32, of float64 inputs in float64; the outputs have the types of the query and of the past
/// state. Memory: one state, `[B, heads, key width, value width]`, however long the sequence.
struct LinearAttention: Operator, TakingAllTypes {
    fileprivate let queryHeads: Int
    fileprivate let keyHeads: Int
    /// nil: one by the root of the key's width.
    fileprivate let scale: Float?
    fileprivate let isGated: Bool
    fileprivate let corrects: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(3...6)
        try reader.expectOutputs(1...2)
        guard let queryHeads = try reader.int("q_num_heads") else { throw .missingAttribute("q_num_heads") }
        guard let keyHeads = try reader.int("kv_num_heads") else { throw .missingAttribute("kv_num_heads") }
        guard keyHeads > 0 else { throw .attributeValue("kv_num_heads") }
        guard queryHeads > 0, queryHeads % keyHeads == 0 else { throw .attributeValue("q_num_heads") }
        self.queryHeads = queryHeads
        self.keyHeads = keyHeads
        let scale = try reader.float("scale", default: 0)
        self.scale = scale == 0 ? nil : scale
        // How many positions to compute at once changes no result.
        _ = try reader.int("chunk_size")
        switch try reader.string("update_rule") ?? "gated_delta" {
        case "linear": (isGated, corrects) = (false, false)
        case "gated": (isGated, corrects) = (true, false)
        case "delta": (isGated, corrects) = (false, true)
        case "gated_delta": (isGated, corrects) = (true, true)
        default: throw .attributeValue("update_rule")
        }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let query = try inputs[0]
        guard (inputs.optional(4) != nil) == isGated else { throw .inputValue(input: 4) }
        guard (inputs.optional(5) != nil) == corrects else { throw .inputValue(input: 5) }
        let type: ElementType = query.elementType == .float64 ? .float64 : .float32
        var wide: [Tensor?] = []
        for index in 0..<6 {
            guard let tensor = inputs.optional(index) else {
                wide.append(nil)
                continue
            }
            let own = tensor.elementType
            guard own == type || (own.isHalf || own == .float32) else {
                throw .unsupportedElementType(own, input: index)
            }
            wide.append(try Cast.convert(tensor, to: type, inputs, input: index))
        }
        let output = try LinearAttentionWork(self, wide, inputs).run(for: type, input: 0)
        guard case .many(let tensors) = output else { return output }
        let stateType = inputs.optional(3)?.elementType ?? query.elementType
        return .many([
            try Cast.convert(tensors[0], to: query.elementType, inputs, input: 0),
            try Cast.convert(tensors[1], to: stateType, inputs, input: 3),
        ])
    }
}

private struct LinearAttentionWork: RealWork {
    private let operation: LinearAttention
    private let inputs: NodeInputs
    private let query: Tensor
    private let key: Tensor
    private let value: Tensor
    private let past: Tensor?
    private let decay: Tensor?
    private let beta: Tensor?
    private let batch: Int
    private let length: Int
    private let keyWidth: Int
    private let valueWidth: Int

    init(
        _ operation: LinearAttention,
        _ tensors: [Tensor?],
        _ inputs: NodeInputs
    ) throws(OperatorError) {
        guard let query = tensors[0] else { throw .missingInput(0) }
        guard let key = tensors[1] else { throw .missingInput(1) }
        guard let value = tensors[2] else { throw .missingInput(2) }
        for (index, tensor) in tensors.enumerated() where index != 3 {
            guard let tensor else { continue }
            guard tensor.shape.rank == 3 else { throw .unsupportedRank(tensor.shape.rank, input: index) }
            for axis in 0..<2 where tensor.shape[axis] != query.shape[axis] {
                throw .shape(
                    .dimensionMismatch(axis: axis, expected: query.shape[axis], actual: tensor.shape[axis])
                )
            }
        }
        let heads = operation.keyHeads
        guard query.shape[2] % operation.queryHeads == 0 else { throw .attributeValue("q_num_heads") }
        guard value.shape[2] % heads == 0 else { throw .attributeValue("kv_num_heads") }
        batch = query.shape[0]
        length = query.shape[1]
        keyWidth = query.shape[2] / operation.queryHeads
        valueWidth = value.shape[2] / heads
        func expect(_ tensor: Tensor?, _ widths: [Int]) throws(OperatorError) {
            guard let tensor, !widths.contains(tensor.shape[2]) else { return }
            throw .shape(.dimensionMismatch(axis: 2, expected: widths[0], actual: tensor.shape[2]))
        }
        // Neither product is larger than an axis that exists.
        try expect(key, [query.shape[2] / (operation.queryHeads / heads)])
        try expect(tensors[4], [key.shape[2], heads])
        try expect(tensors[5], [heads, 1])
        let state = try Shape.checked([batch, heads, keyWidth, valueWidth])
        if let past = tensors[3], past.shape != state {
            throw .shape(.notBroadcastable(past.shape.dimensions, state.dimensions))
        }
        (self.query, self.key, self.value) = (query, key, value)
        (past, decay, beta) = (tensors[3], tensors[4], tensors[5])
        self.operation = operation
        self.inputs = inputs
    }

    func run<T: RealNumber>(_ type: T.Type) throws(OperatorError) -> NodeOutputs {
        let heads = operation.keyHeads
        let stateShape = try Shape.checked([batch, heads, keyWidth, valueWidth])
        var state: Tensor
        if let past {
            state = past
        } else {
            state = try inputs.makeTensor(of: T.self, stateShape) { state in
                state.update(repeating: 0, count: stateShape.elementCount)
            }
        }
        let width = try Shape.checked([operation.queryHeads, valueWidth]).elementCount
        var output = try inputs.makeTensor(T.elementType, Shape.checked([batch, length, width]))
        let written = output.count
        output.withMutablePointer(to: T.self) { output in
            output.update(repeating: 0, count: written)
            state.withMutablePointer(to: T.self) { state in
                for sample in 0..<batch {
                    for head in 0..<heads {
                        let start = (sample * heads + head) * keyWidth * valueWidth
                        for position in 0..<length {
                            step(state + start, row: sample * length + position, head: head)
                            read(state + start, row: sample * length + position, head: head, into: output)
                        }
                    }
                }
            }
        }
        return .many([output, state])
    }

    /// Updates the state of a head at one position.
    private func step<T: RealNumber>(_ state: UnsafeMutablePointer<T>, row: Int, head: Int) {
        let heads = operation.keyHeads
        decay?.withPointer(to: T.self) { decay in
            let isPerHead = self.decay?.shape[2] != key.shape[2]
            for index in 0..<keyWidth {
                let place = isPerHead ? row * heads + head : (row * heads + head) * keyWidth + index
                let factor = T.exponential(decay[place])
                for column in 0..<valueWidth { state[index * valueWidth + column] *= factor }
            }
        }
        key.withPointer(to: T.self) { key in
            value.withPointer(to: T.self) { value in
                let k = key + (row * heads + head) * keyWidth
                let v = value + (row * heads + head) * valueWidth
                for column in 0..<valueWidth {
                    var addend = v[column]
                    if let beta {
                        var retrieved: T = 0
                        for index in 0..<keyWidth {
                            retrieved += state[index * valueWidth + column] * k[index]
                        }
                        let width = beta.shape[2]
                        let factor = beta.withPointer(to: T.self) {
                            $0[row * width + (width == 1 ? 0 : head)]
                        }
                        addend = factor * (addend - retrieved)
                    }
                    for index in 0..<keyWidth { state[index * valueWidth + column] += k[index] * addend }
                }
            }
        }
    }

    /// What the queries that share a head of keys read from its state.
    private func read<T: RealNumber>(
        _ state: UnsafeMutablePointer<T>,
        row: Int,
        head: Int,
        into output: UnsafeMutablePointer<T>
    ) {
        let shared = operation.queryHeads / operation.keyHeads
        let scale = operation.scale.map { T($0) } ?? (keyWidth > 0 ? 1 / T(keyWidth).squareRoot() : 1)
        query.withPointer(to: T.self) { query in
            for reader in head * shared..<(head + 1) * shared {
                let q = query + (row * operation.queryHeads + reader) * keyWidth
                let target = output + (row * operation.queryHeads + reader) * valueWidth
                for index in 0..<keyWidth {
                    for column in 0..<valueWidth {
                        target[column] += q[index] * state[index * valueWidth + column]
                    }
                }
                for column in 0..<valueWidth { target[column] *= scale }
            }
        }
    }
}
