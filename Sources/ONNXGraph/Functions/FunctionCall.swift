internal import SwiftProtobuf

/// One call of a function: what its inputs, outputs and attributes are in the calling graph.
struct FunctionCall {
    let function: ProtoFunction
    /// The path of the calling node.
    let path: NodePath
    /// The calling node's name with those of the calls around it.
    let label: String
    /// Attributes that the function's nodes may refer to.
    let attributes: [String: ProtoAttribute]
    /// The names that values of the function have in the calling graph; `""` for inputs that are left out.
    private(set) var values: [String: String] = [:]
    /// Outputs that are inputs handed through: from, to.
    private(set) var copies: [(input: String, output: String)] = []

    init(of function: ProtoFunction, by node: ProtoNode, label: String, at path: NodePath) {
        self.function = function
        self.path = path
        self.label = label
        attributes = Dictionary(node.attribute.map { ($0.name, $0) }) { first, _ in first }
        for (index, name) in function.input.enumerated() {
            values[name] = index < node.input.count ? node.input[index] : ""
        }
        for (name, actual) in zip(function.output, node.output) where !actual.isEmpty {
            if let input = values[name] {
                copies.append((input, actual))
            } else {
                values[name] = actual
            }
        }
    }

    /// The name that a value of the function has in the calling graph; a new one at the first use.
    mutating func name(of value: String, from names: inout FreshNames) -> String {
        if value.isEmpty { return "" }
        if let name = values[value] { return name }
        let name = names.make("\(label)/\(value)")
        values[value] = name
        return name
    }
}
