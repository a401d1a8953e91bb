import ONNXGraph
import TensorCore

/// An input or output as a model declares it.
struct DeclaredValue {
    let name: String
    let elementType: ElementType?
    let axes: [Dimension]

    var rank: Int { axes.count }

    /// Whether the length of an axis is left open.
    func isDynamic(_ axis: Int) -> Bool {
        if case .fixed = axes[axis] { false } else { true }
    }

    /// The length of an axis; nil if it is left open.
    func length(_ axis: Int) -> Int? {
        if case .fixed(let length) = axes[axis] { length } else { nil }
    }

    /// The symbol of an axis; nil if it has none.
    func symbol(_ axis: Int) -> String? {
        if case .symbol(let symbol) = axes[axis] { symbol } else { nil }
    }

    /// The axes for messages.
    var axisNames: [String] {
        axes.map { axis in
            switch axis {
            case .fixed(let length): "\(length)"
            case .symbol(let symbol): symbol
            case .unknown: "?"
            }
        }
    }

    var isInteger: Bool { elementType == .int64 || elementType == .int32 }
    var isFloating: Bool {
        switch elementType {
        case .float32, .float64, .float16, .bfloat16: true
        default: false
        }
    }
    var isNamedMask: Bool { name.lowercased().firstRange(of: "mask") != nil }
    /// PyTorch's masks of this name are true at padding.
    var isNamedPaddingMask: Bool {
        let name = name.lowercased()
        return name.firstRange(of: "padding_mask") != nil || name.firstRange(of: "pad_mask") != nil
    }
}
