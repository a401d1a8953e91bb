import ONNXGraph
import TensorCore

extension Graph {
    /// Whether any value, at any depth, may hold 16-bit floats.
    var usesHalves: Bool {
        inputs.contains { $0.elementType?.isHalf ?? false }
            || initializers.contains { $0.elementType?.isHalf ?? false }
            || nodes.contains { node in
                node.attributes.contains { attribute in
                    switch attribute.value {
                    case .tensor(let tensor): tensor.elementType?.isHalf ?? false
                    // The attributes that name an element type, such as `to` and `dtype`, are among the numbers.
                    case .int(let code): ElementType(onnxCode: code)?.isHalf ?? false
                    case .graph(let body): body.usesHalves
                    default: false
                    }
                }
            }
    }
}
