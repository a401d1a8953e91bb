import ONNXGraph

extension AxisRules {
    /// MatMul and Gemm: the axes that are not summed over.
    func product(_ first: AxisFacts) -> AxisFacts? {
        guard inputs.count > 1, var b = inputs[1]?.axes else { return nil }
        var a = first.axes
        guard !a.isEmpty, !b.isEmpty else { return nil }
        if node.operatorType == "Gemm" {
            guard a.count == 2, b.count == 2 else { return nil }
            if node.int("transA") == 1 { a.reverse() }
            if node.int("transB") == 1 { b.reverse() }
            return made([a[0], b[1]])
        }
        let rows = a.count > 1 ? [a[a.count - 2]] : []
        let columns = b.count > 1 ? [b[b.count - 1]] : []
        return made(Array(a.dropLast(2)).broadcast(with: Array(b.dropLast(2))) + rows + columns)
    }

    /// Conv: an axis whose length stays keeps its positions.
    func convolution(_ x: AxisFacts) -> AxisFacts? {
        guard inputs.count > 1, let weights = inputs[1]?.axes, weights.count == x.axes.count,
            weights.count > 2,
            !x.axes[1].isOfSequences
        else { return nil }
        let spatial = weights.count - 2
        let kernel = node.ints("kernel_shape") ?? weights.dropFirst(2).map { $0.length ?? 0 }
        let strides = node.ints("strides") ?? [Int](repeating: 1, count: spatial)
        let dilations = node.ints("dilations") ?? [Int](repeating: 1, count: spatial)
        let pads = node.ints("pads") ?? [Int](repeating: 0, count: 2 * spatial)
        guard kernel.count == spatial, strides.count == spatial, dilations.count == spatial,
            pads.count == 2 * spatial, (kernel + dilations + pads).allSatisfy({ (0..<1 << 30).contains($0) })
        else { return nil }
        var padding = "NOTSET"
        if case .string(let text)? = node.attribute("auto_pad") { padding = text }
        var axes = [x.axes[0], weights[0]]
        for index in 0..<spatial {
            let isPadded =
                padding == "NOTSET"
                ? pads[index] + pads[index + spatial] == dilations[index] * (kernel[index] - 1)
                : padding.hasPrefix("SAME") || kernel[index] == 1
            let stays = strides[index] == 1 && isPadded
            let axis = x.axes[index + 2]
            axes.append(stays ? axis : axis.isOfSequences ? .mixed : .other(nil))
        }
        return made(axes)
    }

    /// LSTM, GRU and RNN, which run over the first axis of `[L, B, ...]`.
    func recurrence(_ x: AxisFacts) -> [AxisFacts?] {
        guard x.axes.count == 3, (node.int("layout") ?? 0) == 0 else { return [] }
        let size = SequenceAxis.other(node.int("hidden_size"))
        let directions = SequenceAxis.other(nil)
        let last = made([directions, x.axes[1], size])
        return [made([x.axes[0], directions, x.axes[1], size]), last, last]
    }
}
