import TensorCore

/// Which keys a query may see, and what is added to its scores.
struct AttentionBias {
    let mask: Tensor?
    /// The mask broadcast to `[B, heads, queries, keys]`.
    let view: StridedView
    /// The number of keys the mask speaks of; the others are forbidden.
    private let maskLength: Int
    private let isCausal: Bool
    private let window: (left: Int?, right: Int?)
    private let keyCount: Int
    /// Per sample, the number of valid keys; nil if all are.
    private let validCounts: [Int]?
    private let queryCount: Int
    private let pastLength: Int

    /// Checks the mask and the valid counts of a node.
    ///
    /// - Parameters:
    ///   - attention: The node's attributes.
    ///   - inputs: The mask is input 3, the numbers of valid keys are input 6.
    ///   - batch: B.
    ///   - query: The layout of the queries.
    ///   - pastLength: The number of keys that come before those of this call.
    ///   - keyCount: The number of all keys.
    /// - Throws: The rule that the mask or the counts break.
    init(
        _ attention: Attention,
        _ inputs: NodeInputs,
        batch: Int,
        query: HeadLayout,
        pastLength: Int,
        keyCount: Int
    ) throws(OperatorError) {
        isCausal = attention.isCausal
        window = attention.window
        queryCount = query.length
        self.pastLength = pastLength
        self.keyCount = keyCount
        mask = inputs.optional(3)
        var length = keyCount
        var view = StridedView(Shape())
        if let mask {
            let type = try inputs[0].elementType
            guard mask.elementType == .bool || mask.elementType == type else {
                throw .elementTypesDiffer(type, mask.elementType)
            }
            guard (1...4).contains(mask.shape.rank) else { throw .unsupportedRank(mask.shape.rank, input: 3) }
            let last = mask.shape[mask.shape.rank - 1]
            // Before opset 24, one key stands for all, as everywhere in broadcasting.
            if attention.padsMask || last != 1 { length = last }
            let target = try Shape.checked([batch, query.heads, query.length, length])
            guard length <= keyCount, try mask.shape.broadcasting(target) == target else {
                throw .shape(
                    .notBroadcastable(mask.shape.dimensions, [batch, query.heads, query.length, keyCount])
                )
            }
            view = StridedView(mask.shape, broadcastTo: target)
        }
        self.view = view
        maskLength = length
        guard let counts = inputs.optional(6) else {
            validCounts = nil
            return
        }
        // The spec has the numbers of valid keys for caches kept outside, and the past for those kept inside.
        guard inputs.optional(4) == nil else { throw .inputValue(input: 6) }
        let values = try counts.integers(input: 6)
        guard values.count == batch else {
            throw .shape(.elementCountMismatch(expected: batch, actual: values.count))
        }
        guard values.allSatisfy({ $0 >= 0 && $0 <= keyCount }) else { throw .inputValue(input: 6) }
        validCounts = values
    }

    /// Whether only the mask, which speaks of all keys, and the order of positions forbid keys.
    var isPlain: Bool {
        maskLength == keyCount && window == (nil, nil) && validCounts == nil && pastLength == 0
    }

    /// The keys a query may see, the mask left aside.
    func keys(batch: Int, query: Int) -> Range<Int> {
        let position = query + (validCounts.map { $0[batch] - queryCount } ?? pastLength)
        var upper = min(validCounts?[batch] ?? keyCount, maskLength)
        var lower = 0
        if isCausal { upper = min(upper, position + 1) }
        if let right = window.right { upper = min(upper, position + right + 1) }
        if let left = window.left { lower = max(0, position - left) }
        return lower < upper ? lower..<upper : 0..<0
    }

    /// Adds the mask to the scores of a query.
    ///
    /// - Parameters:
    ///   - scores: One score a key.
    ///   - keys: The keys the query may see.
    ///   - batch: The sample.
    ///   - head: The query's head.
    ///   - query: The query.
    /// - Returns: Whether any key is left.
    func add<T: RealNumber>(
        to scores: UnsafeMutablePointer<T>,
        keys: Range<Int>,
        batch: Int,
        head: Int,
        query: Int
    ) -> Bool {
        guard !keys.isEmpty else { return false }
        guard let mask else { return true }
        let start = batch * view.strides[0] + head * view.strides[1] + query * view.strides[2]
        let stride = view.strides[3]
        var isAnyLeft = false
        mask.withRawPointer { raw in
            if mask.elementType == .bool {
                let flags = raw.assumingMemoryBound(to: UInt8.self)
                for key in keys {
                    if flags[start + key * stride] == 0 {
                        scores[key] = -.infinity
                    } else {
                        isAnyLeft = true
                    }
                }
                return
            }
            let addends = raw.assumingMemoryBound(to: T.self)
            for key in keys {
                let addend = addends[start + key * stride]
                scores[key] += addend
                if addend != -.infinity { isAnyLeft = true }
            }
        }
        return isAnyLeft
    }
}
