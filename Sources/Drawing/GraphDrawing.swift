import Inference
public import ONNXGraph

/// Draws a model as a graph in the dot language of Graphviz.
///
/// Every node that is not a constant is a box, every value an arrow with its shape. Constants are folded into the boxes
/// that read them, as the sizes of their weights. The bodies of Scan, Loop and If are frames, and so are normalizations.
///
/// ```swift
/// let dot = GraphDrawing(model).dot(title: "vowels-cnn")
/// ```
public struct GraphDrawing {
    let drawn: DrawnGraph

    /// Lays out what is drawn.
    ///
    /// - Parameter model: A validated model.
    /// - Complexity: O(nodes), and three short runs to find the shapes.
    public init(_ model: Model) {
        var builder = DrawingBuilder(
            shapes: ShapeProbe.shapes(of: model),
            sites: NormalizationSite.sites(in: model)
        )
        drawn = builder.draw(model)
    }

    /// The drawing.
    ///
    /// - Parameter title: What stands above it.
    /// - Returns: A file for Graphviz's `dot`; the same for the same model.
    public func dot(title: String) -> String { drawn.dot(title: title) }
}
