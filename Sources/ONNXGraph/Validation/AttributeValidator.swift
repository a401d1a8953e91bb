/// Checks that attributes are named, unique, and hold what they declare.
enum AttributeValidator {
    /// Checks the attributes of a node.
    ///
    /// - Parameters:
    ///   - attributes: The attributes.
    ///   - references: The attributes of the function around the node, which its attributes may refer to; nil
    ///     outside of functions.
    ///   - limits: How large tensors may be.
    ///   - path: Where the node is.
    /// - Throws: ``ModelError/invalidAttribute(_:at:_:)`` or ``ModelError/invalidTensor(_:_:)``.
    static func check(
        _ attributes: [ProtoAttribute],
        references: Set<String>?,
        _ limits: ModelLimits,
        at path: () -> NodePath
    ) throws(ModelError) {
        var names: Set<String> = []
        for attribute in attributes {
            if let fault = fault(of: attribute, references) {
                throw .invalidAttribute(attribute.name, at: path(), fault)
            }
            guard names.insert(attribute.name).inserted else {
                throw .invalidAttribute(attribute.name, at: path(), .duplicate)
            }
            if attribute.hasT { try Initializer(proto: attribute.t, folder: nil).checkSize(limits) }
            for tensor in attribute.tensors { try Initializer(proto: tensor, folder: nil).checkSize(limits) }
        }
    }

    private static func fault(of attribute: ProtoAttribute, _ references: Set<String>?) -> AttributeFault? {
        if attribute.name.isEmpty { return .missingName }
        let reference = attribute.refAttrName
        if !reference.isEmpty {
            guard let references else { return .referenceOutsideFunction }
            guard references.contains(reference) else { return .unknownReference(reference) }
        }
        if attribute.type == 0 { return .missingType }
        guard AttributeType.isKnown(attribute.type) else { return .unknownType(attribute.type) }
        let type = AttributeType(rawValue: attribute.type)
        let filled = filledFields(of: attribute)
        // A zero may be left out of the file, a tensor or a graph may not.
        let isMissing = (type == .tensor || type == .graph) && filled.isEmpty && reference.isEmpty
        guard reference.isEmpty || filled.isEmpty, !isMissing, filled.allSatisfy({ $0 == type }) else {
            return .typeMismatch(declared: AttributeType.name(ofCode: attribute.type))
        }
        return nil
    }

    private static func filledFields(of attribute: ProtoAttribute) -> [AttributeType] {
        AttributeType.allCases.filter { type in
            switch type {
            case .float: attribute.hasF
            case .int: attribute.hasI
            case .string: attribute.hasS
            case .tensor: attribute.hasT
            case .graph: attribute.hasG
            case .floats: !attribute.floats.isEmpty
            case .ints: !attribute.ints.isEmpty
            case .strings: !attribute.strings.isEmpty
            case .tensors: !attribute.tensors.isEmpty
            case .graphs: !attribute.graphs.isEmpty
            }
        }
    }
}
