internal import SwiftProtobuf

/// The functions of a model, found by the nodes that call them.
struct FunctionTable {
    /// What names a function, and the nodes that call it.
    struct ID: Hashable, CustomStringConvertible {
        let domain: String
        let name: String
        let overload: String

        init(_ function: ProtoFunction) {
            domain = Model.canonicalDomain(function.domain)
            name = function.name
            overload = function.overload
        }

        init(calledBy node: ProtoNode) {
            domain = Model.canonicalDomain(node.domain)
            name = node.opType
            overload = node.overload
        }

        /// Such as `pkg.onnxscript.Attention`, with an overload in brackets behind.
        var description: String {
            (domain.isEmpty ? name : "\(domain).\(name)") + (overload.isEmpty ? "" : "[\(overload)]")
        }
    }

    private let functions: [ID: ProtoFunction]

    /// No functions.
    init() { functions = [:] }

    /// A model's functions.
    ///
    /// - Parameter functions: The functions as the file has them.
    /// - Throws: ``ModelError/missingFunctionName(index:)`` or ``ModelError/duplicateFunction(_:)``.
    init(_ functions: [ProtoFunction]) throws(ModelError) {
        var table: [ID: ProtoFunction] = [:]
        for (index, function) in functions.enumerated() {
            guard !function.name.isEmpty else { throw .missingFunctionName(index: index) }
            let id = ID(function)
            guard table.updateValue(function, forKey: id) == nil else {
                throw .duplicateFunction("\(id)")
            }
        }
        self.functions = table
    }

    var isEmpty: Bool { functions.isEmpty }

    /// The function that a node calls; nil if the node is an operator.
    func function(calledBy node: ProtoNode) -> ProtoFunction? {
        functions.isEmpty ? nil : functions[ID(calledBy: node)]
    }

    /// The functions that a function's nodes call, at every depth of subgraphs.
    func callees(of function: ProtoFunction) -> [ProtoFunction] {
        var found: [ID: ProtoFunction] = [:]
        func visit(_ nodes: [ProtoNode]) {
            for node in nodes {
                if let callee = self.function(calledBy: node) { found[ID(callee)] = callee }
                for attribute in node.attribute {
                    if attribute.hasG { visit(attribute.g.node) }
                    for graph in attribute.graphs { visit(graph.node) }
                }
            }
        }
        visit(function.node)
        for attribute in function.attributeProto where attribute.hasG { visit(attribute.g.node) }
        return Array(found.values)
    }
}

extension ProtoFunction {
    /// The names of the attributes that a call may give.
    var attributeNames: Set<String> { Set(attribute).union(attributeProto.map(\.name)) }
}
