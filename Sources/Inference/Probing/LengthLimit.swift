public import ONNXGraph

/// Which lengths of sequences a model takes, where it does not take all.
public struct LengthLimit: Hashable, Sendable {
    /// The lengths a model takes.
    public enum Lengths: Hashable, Sendable {
        /// Those of a range, and no others; `Int.max` as the upper bound stands for no bound.
        case range(ClosedRange<Int>)
        /// Some, by a rule that is not known; this one it does not take.
        case irregular(failing: Int)
    }

    /// What keeps a model from taking others.
    public enum Cause: Hashable, Sendable {
        /// The time axis of an input has a fixed length in the file.
        case declared(input: String)
        /// A node cannot compute them, the first in the model's order.
        case node(path: NodePath, operatorType: String, reason: OperatorError)
        /// An output has as many rows whatever the length.
        case output(String)
    }

    /// The lengths.
    public let lengths: Lengths
    /// What keeps the model from taking others.
    public let cause: Cause

    /// The one length a model takes; nil if it takes several.
    public var fixedLength: Int? {
        guard case .range(let range) = lengths, range.lowerBound == range.upperBound else { return nil }
        return range.lowerBound
    }

    /// Whether the model may take a length; a rule that is not known forbids none.
    ///
    /// - Parameter length: The number of positions of a sequence.
    /// - Returns: Whether the length is not known to fail.
    public func allows(_ length: Int) -> Bool {
        switch lengths {
        case .range(let range): range.contains(length)
        case .irregular: true
        }
    }

    /// How to export the model so that it takes every length; nil where the limit is the model's nature.
    public var hint: String? {
        guard fixedLength != nil else { return nil }
        return
            "export it again with a dynamic time axis: torch.onnx.export(..., dynamo=True, dynamic_shapes=...). The "
            + "TorchScript exporter (dynamo=False) needs dynamic_axes, and even so writes the sizes it has traced into "
            + "the graph and unrolls Python loops, unless they are scripted with torch.jit.script"
    }
}

extension LengthLimit: CustomStringConvertible {
    /// The lengths, and where the limit comes from.
    public var description: String {
        if let length = fixedLength {
            return
                "exported with length \(length) fixed at \(cause): only sequences of length \(length) can be served"
        }
        return switch lengths {
        case .irregular(let failing): "sequences of some lengths, such as \(failing), fail at \(cause)"
        case .range(let range) where range.upperBound == .max:
            "sequences shorter than \(range.lowerBound) fail at \(cause)"
        case .range(let range) where range.lowerBound <= 1:
            "sequences longer than \(range.upperBound) fail at \(cause)"
        case .range(let range):
            "sequences shorter than \(range.lowerBound) or longer than \(range.upperBound) fail at \(cause)"
        }
    }
}

extension LengthLimit.Cause: CustomStringConvertible {
    /// The place, and the rule that is broken there.
    public var description: String {
        switch self {
        case .declared(let input): "input \(input), whose time axis has a fixed length in the file"
        case .node(let path, let type, let reason): "node \(path) (\(type): \(reason))"
        case .output(let name): "output \(name), which has as many rows whatever the length"
        }
    }
}
