import ONNXGraph

/// The attributes of a node that are worth a word in its box.
enum AttributeWords {
    private static let words = [
        ("kernel_shape", "kernel"), ("dilations", "dilation"), ("strides", "stride"), ("group", "groups"),
        ("axis", "axis"), ("axes", "axes"), ("perm", "order"), ("hidden_size", "hidden"), ("direction", ""),
        ("num_heads", "heads"), ("to", "to type"), ("equation", ""),
    ]

    /// Some words, such as `kernel 5, dilation 2`; what is 1 anyway is left out.
    static func words(of node: Node) -> String {
        var found: [String] = []
        for (name, word) in words {
            let value: String
            switch node.attribute(name) {
            case .int(let number)? where number != 1 || name == "axis": value = "\(number)"
            case .ints(let numbers)? where numbers.contains { $0 != 1 } && numbers.count <= 6:
                value = numbers.map { "\($0)" }.joined(separator: " ")
            case .string(let text)? where text != "forward": value = text
            default: continue
            }
            found.append(word.isEmpty ? value : "\(word) \(value)")
        }
        return found.joined(separator: ", ")
    }
}
