internal import SwiftProtobuf

extension Model {
    /// Whether the model has functions of its own.
    public var hasFunctions: Bool { !proto.functions.isEmpty }

    /// The model without functions: every node that calls one has made place for the function's nodes.
    ///
    /// A node of a function bears the name of the call before its own, as in `encoder/attention/MatMul#3`, and so
    /// do the values it makes. An optional input that a call leaves out is left out in the nodes that read it; an
    /// attribute that refers to one of the call has its value, or the function's default, or is left out. Values
    /// of the calling graph keep their names. Where a function imports another version of an operator set than
    /// the model, its nodes say so, see ``Node/opset``.
    ///
    /// - Returns: The model itself if it has no functions.
    /// - Throws: The first fault of ``validate()``, or ``ModelError/inlinedTooLarge(limitBytes:at:)``.
    /// - Complexity: O(size of the result).
    public func inliningFunctions() throws(ModelError) -> Model {
        guard hasFunctions else { return self }
        try validate()
        var inliner = FunctionInliner(
            functions: try FunctionTable(proto.functions),
            names: FreshNames(taken: graph.allValueNames),
            opsets: opsetImports,
            limitBytes: limits.inlinedBytes
        )
        var inlined = self
        try inliner.inline(&inlined.proto.graph, at: .root)
        inlined.proto.functions = []
        inlined.opsetImports = inliner.opsets
        return inlined
    }
}
